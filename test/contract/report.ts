import type { Result } from './run.ts';

/** case, seconds, result; and below what failed and why, and what was not applicable, by name. */
export function tableOf(results: Result[]): string {
  const width = Math.max(...results.map(({ area, name }) => area.length + name.length)) + 4;
  const lines = results.map(
    ({ area, name, seconds, result }) =>
      `${`${area}: ${name}`.padEnd(width)}${seconds.toFixed(1).padStart(7)}  ${result}`,
  );
  const told = (which: Result['result'], title: string) => {
    const those = results.filter(({ result }) => result === which);
    return those.length === 0
      ? []
      : [
          '',
          title,
          ...those.map(({ area, name, message }) => `  ${area}: ${name}: ${message?.split('\n').join('\n    ')}`),
        ];
  };
  return [
    `${'case'.padEnd(width)}seconds  result`,
    ...lines,
    ...told('not applicable', 'Not applicable:'),
    ...told('failed', 'Failed:'),
    '',
    countsOf(results),
  ].join('\n');
}

export function countsOf(results: Result[]): string {
  const count = (which: Result['result']) => results.filter(({ result }) => result === which).length;
  return `${results.length} cases: ${count('passed')} passed, ${count('failed')} failed, ${count('not applicable')} not applicable`;
}

const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** The first lines of every file of results. */
export const junitHead = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite name="contract"';

/** As CI systems read it. */
export function junitOf(results: Result[]): string {
  const count = (which: Result['result']) => results.filter(({ result }) => result === which).length;
  const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
  const one = ({ area, name, seconds, result, message = '' }: Result) => {
    const head = `    <testcase classname="${escaped(area)}" name="${escaped(name)}" time="${seconds.toFixed(3)}"`;
    if (result === 'passed') return `${head}/>`;
    const tag = result === 'failed' ? 'failure' : 'skipped';
    return `${head}>\n      <${tag} message="${escaped(message.split('\n')[0] ?? '')}">${escaped(message)}</${tag}>\n    </testcase>`;
  };
  return [
    `${junitHead} tests="${results.length}" failures="${count('failed')}" skipped="${count('not applicable')}" time="${total.toFixed(3)}">`,
    ...results.map(one),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
