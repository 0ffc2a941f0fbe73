/** What Kubernetes lets objects be called (apimachinery, pkg/util/validation). Each checks the length first: a name is input. */

const part = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const label = new RegExp(`^${part}$`);
const subdomain = new RegExp(`^${part}(?:\\.${part})*$`);

/** A namespace, or a cluster in CLUSTERS: an RFC 1123 label. */
export const isLabel = (text: string): boolean => text.length <= 63 && label.test(text);
export const labelExpected = 'expected a DNS label: at most 63 of a-z, 0-9 and "-", not at an end';

/** A Wukong, a schedule, a ConfigMap: an RFC 1123 subdomain, so `db.prod` is one. */
export const isObjectName = (text: string): boolean => text.length <= 253 && subdomain.test(text);
export const objectNameExpected =
  'expected the name of an object: at most 253 of a-z, 0-9, "-" and ".", beginning and ending with a letter or digit';
