// Imported, it ends this process as SIGTERM does once the one that started it is gone. npm and its shell do not pass a
// signal on that only they are sent, and nothing passes on a SIGKILL. Whoever was started by something else goes on, as
// after `nohup`. The scripts of package.json that stay begin with it (`node --import`), and so does `wukong`.
import { constants } from 'node:os';

/** Names a process to the one that it starts. */
export const launchedBy = 'WUKONG_LAUNCHED_BY';
export const { [launchedBy]: launcher } = process.env;
delete process.env[launchedBy];

const parent = process.ppid;
if (launcher !== undefined && launcher !== String(parent)) process.exit(128 + constants.signals.SIGTERM);
if (launcher !== undefined || process.env.npm_command) {
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, 100);
  look.unref();
}
