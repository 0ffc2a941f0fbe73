/** All that is drawn on a line of the timeline, by its number: its switches, what came of them, and what nobody had planned. */
globalThis.momentsOn = (timeline, rows, links) => {
  const verdicts = Object.fromEntries((timeline.dataset.verdicts ?? '').split(';').map((each) => each.split('=')));

  /** What the lists say of a line of the timeline, by its id. */
  const told = new Map();
  for (const item of document.querySelectorAll('.told li')) {
    const [link, when, verdict, message] = ['a', 'time', '.verdict', '.message'].map((part) =>
      item.querySelector(part),
    );
    if (!link) continue;
    const text = [verdict.textContent.trim(), message.textContent].filter(Boolean).join('. ');
    const one = {
      at: Date.parse(when.dateTime),
      text,
      when: when.textContent,
      extra: item.dataset.extra !== undefined,
    };
    told.set(link.hash, [...(told.get(link.hash) ?? []), one]);
  }

  /** The switches of a course, as its table of times has them. */
  const known = new Map();
  function courseOf(id) {
    if (!known.has(id)) {
      const lines = [...document.getElementById(id).parentElement.querySelectorAll('tbody tr')];
      const read = (line) => {
        const [when, what, , why] = line.children;
        const at = Date.parse(when.firstElementChild.dateTime);
        return { at, text: `${when.textContent}: ${what.textContent}`, why: why.textContent };
      };
      known.set(id, lines.map(read));
    }
    return known.get(id);
  }

  return (i) => {
    const own = (links[i].id && told.get(`#${links[i].id}`)) || [];
    const taken = new Set();
    const planned = courseOf(links[i].hash.slice(1)).map(({ at, text, why }, n) => {
      const came = own.find((one) => one.at === at && !one.extra);
      taken.add(came);
      return { at, text: [text, why, came?.text ?? verdicts[rows[i].dataset.v?.[n]]].filter(Boolean).join(', ') };
    });
    const extra = own.filter((one) => !taken.has(one)).map(({ at, when, text }) => ({ at, text: `${when}: ${text}` }));
    return [...planned, ...extra].sort((a, b) => a.at - b.at);
  };
};
