// Makes the page easier to use; it says all it has to say without this.
(() => {
  const timeline = document.getElementById('timeline');
  if (!timeline) return;
  const [readout, tools, left] = ['readout', 'tools', 'left'].map((id) => document.getElementById(id));
  const from = Number(timeline.dataset.from);
  const to = Number(timeline.dataset.to);
  const rows = [...timeline.querySelectorAll('.block .row')];
  const links = rows.map((row) => row.querySelector('a'));
  const caret = Object.assign(document.createElement('span'), { className: 'caret' });
  let current = 0;
  let step = -1;
  /** Where the details stand: at the pointer, or at the caret that the keyboard moves. */
  let byKeyboard = false;

  // One line can be reached by Tab, the others from there.
  links.forEach((link, i) => (link.tabIndex = i === 0 ? 0 : -1));
  tools.hidden = false;

  const momentsOf = globalThis.momentsOn(timeline, rows, links);

  function say(i, text) {
    readout.textContent = [`${rows[i].dataset.find}: ${text}`, rows[i].dataset.zone].filter(Boolean).join(', ');
  }

  /** Beside a point of the window, and within it. */
  function place(x, y) {
    const gap = 14;
    const { width, height } = readout.getBoundingClientRect();
    const right = x + gap + width > document.documentElement.clientWidth ? x - gap - width : x + gap;
    const below = y + gap + height > innerHeight ? y - gap - height : y + gap;
    readout.style.left = `${Math.max(4, right)}px`;
    readout.style.top = `${Math.max(4, below)}px`;
  }

  function show(i, moment) {
    say(i, moment.text);
    caret.style.left = `${(100 * (moment.at - from)) / (to - from)}%`;
    rows[i].querySelector('.lane').append(caret);
  }

  function placeAtCaret() {
    const { right, bottom } = caret.getBoundingClientRect();
    place(right, bottom - gapToCaret);
  }
  const gapToCaret = 8;

  function hide() {
    readout.textContent = '';
    caret.remove();
  }

  function go(i) {
    if (!links[i]) return;
    links[current].tabIndex = -1;
    current = i;
    step = -1;
    hide();
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
    if (event.key === 'Escape') hide();
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const goal = {
      ArrowDown: () => along(i, 1),
      ArrowUp: () => along(i, -1),
      Home: () => along(-1, 1),
      End: () => along(rows.length, -1),
    };
    if (goal[key]) {
      go(goal[key]());
      event.preventDefault();
    } else if (key === 'ArrowRight' || key === 'ArrowLeft') {
      const all = momentsOf(i);
      byKeyboard = true;
      step = Math.max(0, Math.min(all.length - 1, step + (key === 'ArrowRight' ? 1 : -1)));
      if (all.length === 0) {
        say(i, 'nothing is planned');
        const { left: x, bottom } = links[i].getBoundingClientRect();
        place(x, bottom);
      } else {
        show(i, all[step]);
        caret.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
        placeAtCaret();
      }
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
  timeline.addEventListener('focusout', hide);

  // What is next to the pointer, or to the finger.
  function point(event) {
    const lane = event.target.closest('.block .lane');
    if (!lane) return byKeyboard ? undefined : hide();
    const i = rows.indexOf(lane.parentElement);
    const box = lane.getBoundingClientRect();
    const at = from + ((event.clientX - box.left) / box.width) * (to - from);
    const all = momentsOf(i);
    byKeyboard = false;
    readout.setAttribute('aria-live', 'off');
    if (all.length === 0) return hide();
    show(
      i,
      all.reduce((best, one) => (Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best)),
    );
    place(event.clientX, event.clientY);
  }
  timeline.addEventListener('pointermove', (event) => event.pointerType !== 'touch' && point(event));
  timeline.addEventListener('pointerleave', (event) => event.pointerType !== 'touch' && !byKeyboard && hide());
  timeline.addEventListener('keydown', () => readout.removeAttribute('aria-live'), { capture: true });
  for (const one of [timeline, document])
    one.addEventListener('scroll', () => (byKeyboard && caret.isConnected ? placeAtCaret() : hide()), {
      passive: true,
    });

  timeline.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link) return point(event);
    document.getElementById(link.hash.slice(1)).parentElement.open = true; // the browser goes there, and focuses it
  });

  const find = document.getElementById('find');
  const wrong = document.getElementById('wrong');
  function filter() {
    const wanted = find.value.trim().toLowerCase();
    let n = 0;
    for (const row of rows) {
      row.hidden =
        !row.dataset.find.toLowerCase().includes(wanted) || Boolean(wrong?.checked && row.dataset.wrong === undefined);
      if (!row.hidden) n++;
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
    const none = wrong?.checked ? 'nothing that went wrong fits' : 'no line fits; its namespace or part of its name do';
    left.textContent = n === rows.length ? '' : n > 0 ? `${n} of ${rows.length} lines` : `0 lines: ${none}`;
    if (rows[current]?.hidden && n > 0) {
      links[current].tabIndex = -1;
      current = along(-1, 1);
      links[current].tabIndex = 0;
    }
  }
  find.addEventListener('input', filter);
  wrong?.addEventListener('change', filter);
  tools.addEventListener('submit', (event) => event.preventDefault());
  for (const zoom of tools.elements.zoom)
    zoom.addEventListener('change', () => {
      const { scrollLeft, scrollWidth } = timeline;
      timeline.dataset.zoom = zoom.value;
      timeline.scrollLeft = (scrollLeft / scrollWidth) * timeline.scrollWidth; // the same days stay in sight
      hide();
    });

  // From a list to its VM, filtered away or not.
  for (const list of document.querySelectorAll('.told'))
    list.addEventListener('click', (event) => {
      const link = event.target.closest('a');
      const i = link ? links.findIndex(({ id }) => id !== '' && `#${id}` === link.hash) : -1;
      if (i < 0) return;
      if (rows[i].hidden) {
        find.value = '';
        if (wrong) wrong.checked = false;
        filter();
      }
      go(i);
      event.preventDefault();
    });
})();
