import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

/** The table of shared/README.md: an import runs downwards in it, or stays in its room. */
const floors = new Map(
  [...readFileSync('shared/README.md', 'utf8').matchAll(/^\| (\d) \| \[(\w+)\]/gm)].map(([, floor, room]) => [
    room!,
    Number(floor),
  ]),
);

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file).replaceAll('\\', '/'));

/** What a file imports of the repository, types too. */
function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from |import\(|^import )'(\.[^']+)'/gm);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)).replaceAll('\\', '/'));
}

const roomOf = (file: string): string => file.split('/')[1]!;
const topOf = (file: string): string => file.split('/')[0]!;

/** Imports of `files` that `allowed` does not allow, as `from -> to`. */
const forbidden = (files: string[], allowed: (from: string, to: string) => boolean): string[] =>
  files.flatMap((file) => importsOf(file).flatMap((other) => (allowed(file, other) ? [] : [`${file} -> ${other}`])));

/** The way round that imports of `files` lead, back to where it began; empty where none does. */
function circleIn(files: Set<string>): string[] {
  const isThrough = new Set<string>();
  const circleFrom = (file: string, way: string[]): string[] => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (isThrough.has(file) || !files.has(file)) return [];
    for (const other of importsOf(file)) {
      const found = circleFrom(other, [...way, file]);
      if (found.length > 0) return found;
    }
    isThrough.add(file);
    return [];
  };
  for (const file of files) {
    const found = circleFrom(file, []);
    if (found.length > 0) return found;
  }
  return [];
}

describe('shared/ has rooms', () => {
  it('nine of them, each with a README of at most fifteen lines', () => {
    const folders = readdirSync('shared', { withFileTypes: true }).filter((one) => one.isDirectory());
    expect(folders.map((one) => one.name).sort()).toEqual([...floors.keys()].sort());
    expect(floors.size).toBe(9);
    for (const room of floors.keys()) {
      const readme = `shared/${room}/README.md`;
      expect(existsSync(readme), readme).toBe(true);
      expect(readFileSync(readme, 'utf8').trimEnd().split('\n').length, readme).toBeLessThanOrEqual(15);
    }
  });

  it('and every file is in one', () => {
    expect(sources('shared').filter((file) => !floors.has(roomOf(file)))).toEqual([]);
  });

  it('imports run downwards between them', () => {
    const downwards = (from: string, to: string) =>
      topOf(to) === 'shared' &&
      (roomOf(to) === roomOf(from) || (floors.get(roomOf(to)) ?? Infinity) < floors.get(roomOf(from))!);
    expect(forbidden(sources('shared'), downwards)).toEqual([]);
  });
});

describe('a Lambda handler', () => {
  it('reaches neither the server nor its packages', () => {
    const reached = new Set<string>();
    const packages = new Set<string>();
    const follow = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'([^.'][^']*)'/g))
        packages.add(name);
      importsOf(file).forEach(follow);
    };
    sources('functions').forEach(follow);
    expect(reached.size).toBeGreaterThan(50);
    expect([...reached].filter((file) => /\/(serve|cloudEvents|prometheus)\w*\.ts$/.test(file))).toEqual([]);
    expect([...packages].filter((name) => /^(cloudevents|prom-client)/.test(name))).toEqual([]);
  });
});

describe('around shared/', () => {
  it('sim/ imports nothing of ours but plain types', () => {
    const withoutTypes = (file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/^import (?!type )[^;]*? from '(\.[^']+)';/gms)]
        .map(([, path = '']) => normalize(join(dirname(file), path)).replaceAll('\\', '/'))
        .filter((other) => topOf(other) !== 'sim');
    expect(sources('sim').flatMap(withoutTypes)).toEqual([]);
  });

  it('no import leads back to the file that it is in, by whatever way', () => {
    const files = ['shared', 'functions', 'cli', 'sim', 'bench', 'infra/aws', 'infra/crds'].flatMap(sources);
    expect(files.length).toBeGreaterThan(300);
    expect(circleIn(new Set(files))).toEqual([]);
  });

  it('nothing but tests imports tests, and nothing but the CLI and tests imports handlers or the CLI', () => {
    const files = ['shared', 'functions', 'sim', 'infra'].flatMap((folder) =>
      sources(folder).filter((file) => !file.includes('node_modules')),
    );
    const allowed = (from: string, to: string) =>
      !['test', 'cli'].includes(topOf(to)) && (topOf(to) !== 'functions' || topOf(from) !== 'shared');
    expect(forbidden(files, allowed)).toEqual([]);
  });
});
