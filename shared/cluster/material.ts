import { readFileSync } from 'node:fs';

import { type Entry, misconfigured, pathIn, textOf, unreadable } from './kubeconfig.ts';

/** Data of the kubeconfig itself, or a file, which is read again as it may be renewed. */
export type Material = { text: string; where: string } | { file: string; where: string };

/** The texts of an entry; one that is something else is a problem. */
export function fieldsOf(entry: Entry, problems: string[]) {
  return (field: string): string | undefined => {
    try {
      return textOf(entry, field);
    } catch (thrown) {
      problems.push((thrown as Error).message);
      return undefined;
    }
  };
}

/** `NAME-data` in base64, else the file of `NAME`; it must be there now, too. */
export function materialOf(entry: Entry, name: string, problems: string[]): Material | undefined {
  const text = fieldsOf(entry, problems);
  const data = text(`${name}-data`);
  if (data !== undefined) {
    const where = `${entry.where}.${name}-data`;
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (!pem.includes('-----BEGIN')) problems.push(`${where}: expected a PEM block in base64`);
    return { text: pem, where };
  }
  const file = text(name);
  return file === undefined ? undefined : fileIn(entry, name, file, problems);
}

export function fileIn(entry: Entry, field: string, path: string, problems: string[]): Material {
  const where = `${entry.where}.${field}`;
  try {
    const material = { file: pathIn(entry, field, path), where };
    readMaterial(material);
    return material;
  } catch (thrown) {
    problems.push((thrown as Error).message);
    return { file: path, where };
  }
}

/** @throws LifecycleError Denied naming field and file. */
export function readMaterial(material: Material): string {
  if ('text' in material) return material.text;
  let text: string;
  try {
    text = readFileSync(material.file, 'utf8');
  } catch (thrown) {
    throw misconfigured(material.where, `${material.file}: ${unreadable(thrown)}`);
  }
  if (text.trim() === '') throw misconfigured(material.where, `${material.file}: is empty`);
  return text;
}
