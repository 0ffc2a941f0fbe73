import { explore } from './explore.ts';
const f = await explore({
  runs: Number(process.argv[2] ?? 300),
  seed: Number(process.argv[3] ?? 1),
  only: new RegExp(process.argv[4] ?? '.'),
  limitMs: 100_000,
});
console.log(f ? JSON.stringify(f.history) + '\n' + f.wrong.join('\n') + '\n' + f.path + ' runs ' + f.runs : 'none');
