import { isMap, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml';

/** Keys that stand twice in one object, as the API server tells of them: JSON by path, YAML by line. */
export function duplicates(text: string, isYaml: boolean): string[] {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { uniqueKeys: false, logLevel: 'error', lineCounter: lines });
  const found: string[] = [];
  const visit = (node: Node | null | undefined, path: string): void => {
    if (isSeq<Node>(node)) node.items.forEach((item, i) => visit(item, `${path}[${i}]`));
    if (!isMap<Scalar<string>, Node>(node)) return;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = String(key.value);
      const place = path ? `${path}.${name}` : name;
      const line = lines.linePos(key.range?.[0] ?? 0).line;
      if (seen.has(name))
        found.push(isYaml ? `  line ${line}: key "${name}" already set in map` : `duplicate field "${place}"`);
      seen.add(name);
      visit(value, place);
    }
  };
  visit(contents as Node | null, '');
  return isYaml && found.length > 0 ? [`yaml: unmarshal errors:\n${found.join('\n')}`] : found;
}
