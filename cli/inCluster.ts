import { exitCodes } from './command.ts';
import { main } from './main.ts';
import { endProcess, processIo } from './terminal/process.ts';

/**
 * The image's entry point: `wukong` as a Job knows it, done or failed. What is in progress (3) the next tick goes on
 * with, and what was left alone on purpose (4) is as somebody wished: neither is a failed Job.
 */
const code = await main(process.argv.slice(2), processIo());
await endProcess(code === exitCodes.inProgress || code === exitCodes.left ? exitCodes.done : code);
