import { at, type Thing } from './object.ts';
import { badRequest } from './refusal.ts';
import type { Resource } from './resources.ts';

export type Matches = (thing: Thing) => boolean;

const everything: Matches = () => true;

/** All forms of a label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`. */
export function labelMatcher(selector: string | null | undefined): Matches {
  if (!selector?.trim()) return everything;
  const tests = selector.split(/,(?![^(]*\))/).map((part) => labelTest(part.trim(), selector));
  return (thing) => tests.every((test) => test(thing.metadata.labels ?? {}));
}

const name = '[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?';
const setForm = new RegExp(`^(${name})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equalForm = new RegExp(`^(${name})\\s*(==|=|!=)\\s*(${name})?$`);
const bareForm = new RegExp(`^(!?)\\s*(${name})$`);

function labelTest(part: string, whole: string): (labels: Record<string, string>) => boolean {
  const value = (labels: Record<string, string>, key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const inSet = setForm.exec(part);
  if (inSet) {
    const [, key = '', , operator, list = ''] = inSet;
    const values = list.split(',').map((item) => item.trim());
    return (labels) => {
      const found = value(labels, key);
      return operator === 'in'
        ? found !== undefined && values.includes(found)
        : found === undefined || !values.includes(found);
    };
  }
  const compared = equalForm.exec(part);
  if (compared) {
    const [, key = '', , operator, wanted = ''] = compared;
    return (labels) => (value(labels, key) === wanted) === (operator !== '!=');
  }
  const bare = bareForm.exec(part);
  if (!bare) throw badRequest(`unable to parse requirement: found '${part}', in selector ${JSON.stringify(whole)}`);
  return (labels) => (value(labels, bare[2] ?? '') === undefined) === (bare[1] === '!');
}

/** Fields by which Pods and Events may be selected beside name and namespace, as the API server allows. */
const selectable: Record<string, RegExp> = {
  pods: /^(spec\.(nodeName|restartPolicy|schedulerName|serviceAccountName)|status\.(phase|podIP|nominatedNodeName))$/,
  events:
    /^((involvedObject|regarding)\.(kind|namespace|name|uid|apiVersion|resourceVersion|fieldPath)|reason|reportingComponent|source|type)$/,
  namespaces: /^status\.phase$/,
  nodes: /^spec\.unschedulable$/,
  secrets: /^type$/,
  jobs: /^status\.successful$/,
};

/** `metadata.name=x,status.phase!=Running`. @throws Refusal for a field that cannot be selected by. */
export function fieldMatcher(resource: Resource, selector: string | null | undefined): Matches {
  if (!selector?.trim()) return everything;
  const tests = selector
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, field = '', operator, wanted = ''] = /^\s*([^=!]+?)\s*(==|=|!=)(.*)$/.exec(part) ?? [];
      if (!operator) throw badRequest(`invalid selector: '${selector}'; can't understand '${part}'`);
      const known =
        /^metadata\.(name|namespace)$/.test(field) ||
        (resource.custom ? resource.custom.selectable.includes(field) : selectable[resource.plural]?.test(field));
      if (!known) throw badRequest(`field label not supported: ${field}`);
      const path = field.replace(/^regarding\./, 'involvedObject.').split('.');
      if (field === 'source') path.push('component');
      return (thing: Thing) => {
        const found = at(thing, ...path);
        const text = ['string', 'boolean', 'number'].includes(typeof found) ? String(found) : '';
        return (text === wanted) === (operator !== '!=');
      };
    });
  return (thing) => tests.every((test) => test(thing));
}

/** The name that a field selector pins down, so that a list can be authorised and answered for it alone. */
export const nameSelected = (selector: string | null | undefined): string | undefined =>
  /(?:^|,)metadata\.name==?([^,]+)/.exec(selector ?? '')?.[1];
