import { type Html, markup } from './markup.ts';
import type { PageModel } from './model.ts';
import { count } from './words.ts';

/** What to do where a page has little to show; nothing where it has. */
export const advice = (model: PageModel): Html => {
  const found = adviceOf(model);
  return found ? box(...found) : markup``;
};

const box = (title: string, words: Html): Html =>
  markup`<section class="notes advice" aria-labelledby="h-advice">
    <h2 id="h-advice">${title}</h2>
    <p>${words}</p>
  </section>`;

const code = (text: string): Html => markup`<code>${text}</code>`;

/** There is not even a VM. `command` is the one whose page this is. */
export const nothingFound = (found: string, command: string): Html => box(...nothing(found, command));

const nothing = (found: string, command: string): [string, Html] => [
  'There is nothing to show yet',
  markup`${found} ${code(`wukong ${command} -A`)} looks into all namespaces; ${code('wukong adopt')} makes a Wukong for a VM; ${code('wukong plan --schedule FILE')} shows what a schedule would do before it is applied.`,
];

function adviceOf({ kind, groups, schedules }: PageModel): [string, Html] | undefined {
  const rows = groups.flatMap((group) => group.rows);
  const vms = rows.filter(({ wave }) => wave !== undefined);
  const all = count(vms.length, 'VM');
  if (rows.length === 0 && schedules.length === 0)
    return nothing('Neither a Wukong nor a WukongSchedule was found.', kind);
  if (rows.length === 0)
    return [
      'Every schedule is suspended',
      markup`Nothing is switched until ${code('spec.suspend')} of a schedule is false.`,
    ];
  if (vms.length === 0)
    return [
      'No Wukong was found',
      markup`Each line stands for all VMs that its schedule would select. ${code(`wukong ${kind} -A`)} looks into all namespaces; ${code('wukong adopt')} makes a Wukong for a VM.`,
    ];
  if (schedules.length === 0)
    return [
      'No schedule rules these VMs',
      markup`Nothing switches ${vms.length === 1 ? 'it' : `the ${all}`}. Write a WukongSchedule whose selector matches their labels; ${code('wukong plan --schedule FILE')} shows what it would do before it is applied.`,
    ];
  if (vms.every((row) => row.schedules.length === 0))
    return [
      'No schedule selects any of these VMs',
      markup`Compare ${code('spec.selector')} of the schedules with ${code('kubectl get wukongs --show-labels')}: a WukongSchedule and its VMs share a namespace.`,
    ];
  const judged = rows.flatMap(({ happened }) => happened?.judged ?? []);
  if (kind === 'report' && judged.length > 0 && judged.every(({ verdict }) => verdict === 'unrecorded'))
    return [
      'Nothing is recorded of this time',
      markup`${code('wukong doctor')} says whether reconcileState runs. The cluster keeps Events for an hour and runs for as long as ${code('spec.runsHistoryLimit')} says; outcome events that were kept elsewhere are added by ${code('--from-file FILE')}.`,
    ];
  return undefined;
}
