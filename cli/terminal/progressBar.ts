/** How far a fleet has come. */
export interface Bar {
  title: string;
  /** Instant. */
  began: number;
  targets: number;
  done: number;
  inFlight: number;
  forced: number;
  failed: number;
  /** When the last ones ended: the rate of the last seconds. */
  recent: number[];
}

const rateOverMs = 5_000;
const cells = 24;

/** Ends a second, over the last five. */
function rateOf(bar: Bar, now: number): number {
  while (bar.recent[0] !== undefined && bar.recent[0] < now - rateOverMs) bar.recent.shift();
  return bar.recent.length / (Math.min(rateOverMs, Math.max(1, now - bar.began)) / 1000);
}

/** `stop [######------] 612/1000  48/s  in flight 211  forced 6  failed 2  about 9 s left`. */
export function barLine(bar: Bar, now: number): string {
  const { title, targets, done, inFlight, forced, failed } = bar;
  const filled = targets === 0 ? cells : Math.round((cells * done) / targets);
  const rate = rateOf(bar, now);
  const left = done >= targets ? 'done' : rate > 0 ? `about ${Math.ceil((targets - done) / rate)} s left` : '';
  const picture = `[${'#'.repeat(filled)}${'-'.repeat(cells - filled)}]`;
  const figures = [
    `${done}/${targets}`,
    `${rate.toFixed(0)}/s`,
    `in flight ${inFlight}`,
    `forced ${forced}`,
    `failed ${failed}`,
  ];
  return `${title} ${picture} ${[...figures, left].filter((text) => text !== '').join('  ')}`;
}

const drawEveryMs = 120;
const sayEveryMs = 2_000;

/** Drawn over itself in a terminal; elsewhere a line every two seconds. */
export function progressBar(out: NodeJS.WriteStream, bar: Bar, drawn: boolean): { stop(): void } {
  const draw = () => out.write(`\r\u001b[2K${barLine(bar, Date.now()).slice(0, (out.columns || 120) - 1)}`);
  const say = () => out.write(`${barLine(bar, Date.now())}\n`);
  const timer = setInterval(drawn ? draw : say, drawn ? drawEveryMs : sayEveryMs);
  return {
    stop() {
      clearInterval(timer);
      if (drawn) draw();
      else say();
      if (drawn) out.write('\n');
    },
  };
}
