// Makes the page easier to use; it says all it has to say without this.
(() => {
  const timeline = document.getElementById('timeline');
  const readout = document.getElementById('readout');
  const tools = document.getElementById('tools');
  const from = Number(timeline.dataset.from);
  const to = Number(timeline.dataset.to);
  const verdicts = Object.fromEntries((timeline.dataset.verdicts ?? '').split(';').map((each) => each.split('=')));
  const rows = [...timeline.querySelectorAll('.block .row')];
  const links = rows.map((row) => row.querySelector('a'));
  const caret = Object.assign(document.createElement('span'), { className: 'caret' });
  let current = 0;
  let step = -1;

  // One line can be reached by Tab, the others from there.
  links.forEach((link, i) => (link.tabIndex = i === 0 ? 0 : -1));
  tools.hidden = false;

  /** The switches of a line, as its table of times has them. */
  const known = new Map();
  function switchesOf(link) {
    const id = link.hash.slice(1);
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

  function show(row, i) {
    const link = links[rows.indexOf(row)];
    const all = switchesOf(link);
    const one = all[i];
    if (!one) return;
    const verdict = verdicts[row.dataset.v?.[i]];
    const zone = row.dataset.zone;
    readout.textContent = [`${row.dataset.find}: ${one.text}`, one.why, verdict, zone].filter(Boolean).join(', ');
    caret.style.left = `${(100 * (one.at - from)) / (to - from)}%`;
    row.querySelector('.lane').append(caret);
  }

  function go(i) {
    if (!links[i]) return;
    links[current].tabIndex = -1;
    current = i;
    step = -1;
    caret.remove();
    links[i].tabIndex = 0;
    links[i].focus();
    rows[i].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  /** The next line that is not filtered away. */
  function along(i, by) {
    for (i += by; rows[i]; i += by) if (!rows[i].hidden) return i;
    return -1;
  }

  timeline.addEventListener('keydown', (event) => {
    const i = links.indexOf(event.target);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const to = {
      ArrowDown: () => along(i, 1),
      ArrowUp: () => along(i, -1),
      Home: () => along(-1, 1),
      End: () => along(rows.length, -1),
    };
    if (to[key]) {
      go(to[key]());
      event.preventDefault();
    } else if (key === 'ArrowRight' || key === 'ArrowLeft') {
      const last = switchesOf(links[i]).length - 1;
      if (last < 0) readout.textContent = `${rows[i].dataset.find}: nothing is planned`;
      step = Math.max(0, Math.min(last, step + (key === 'ArrowRight' ? 1 : -1)));
      show(rows[i], step);
      if (last >= 0) caret.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      event.preventDefault();
    }
  });

  timeline.addEventListener('focusin', (event) => {
    const i = links.indexOf(event.target);
    if (i < 0 || i === current) return;
    links[current].tabIndex = -1;
    links[i].tabIndex = 0;
    [current, step] = [i, -1];
  });

  // The switch next to the pointer.
  timeline.addEventListener('pointermove', (event) => {
    const lane = event.target.closest('.block .lane');
    if (!lane) return;
    const row = lane.parentElement;
    const box = lane.getBoundingClientRect();
    const at = from + ((event.clientX - box.left) / box.width) * (to - from);
    const all = switchesOf(links[rows.indexOf(row)]);
    if (all.length === 0) return;
    let best = 0;
    all.forEach((one, i) => {
      if (Math.abs(one.at - at) < Math.abs(all[best].at - at)) best = i;
    });
    readout.setAttribute('aria-live', 'off');
    show(row, best);
  });
  timeline.addEventListener('keydown', () => readout.removeAttribute('aria-live'), { capture: true });

  timeline.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link) return;
    document.getElementById(link.hash.slice(1)).parentElement.open = true; // the browser goes there, and focuses it
  });

  const find = document.getElementById('find');
  const differing = document.getElementById('differing');
  function filter() {
    const wanted = find.value.trim().toLowerCase();
    let left = 0;
    for (const row of rows) {
      row.hidden =
        !row.dataset.find.toLowerCase().includes(wanted) ||
        Boolean(differing?.checked && row.dataset.differs === undefined);
      if (!row.hidden) left++;
    }
    let head;
    for (const part of timeline.querySelectorAll('.namespace, .block')) {
      if (part.className === 'namespace') {
        head = part;
        head.hidden = true;
      } else {
        part.hidden = !part.querySelector('.row:not([hidden])');
        if (!part.hidden) head.hidden = false;
      }
    }
    readout.textContent = left === rows.length ? '' : `${left} of ${rows.length} lines`;
    if (rows[current]?.hidden && left > 0) {
      links[current].tabIndex = -1;
      current = along(-1, 1);
      links[current].tabIndex = 0;
    }
  }
  find.addEventListener('input', filter);
  differing?.addEventListener('change', filter);
  tools.addEventListener('submit', (event) => event.preventDefault());
  tools.addEventListener('change', () => {
    timeline.dataset.zoom = tools.elements.zoom.value;
  });
})();
