// Shows what VMs are doing as the server tells it, and asks it for what somebody wishes. The words are the server's.
(() => {
  const token = new URLSearchParams(location.search).get('token');
  history.replaceState(null, '', location.pathname); // not where a screenshot shows it
  const by = (id) => document.getElementById(id);
  const [body, find, said, dialog, count] = ['rows', 'find', 'said', 'dialog', 'count'].map(by);
  const lines = new Map();
  const rank = { bad: 0, busy: 1 };
  let chosen;

  function newLine(key) {
    const row = document.createElement('tr');
    row.id = `vm/${key}`;
    const cells = ['who', 'is', 'came', 'coming', 'act'].map((className) => {
      const cell = document.createElement(className === 'who' ? 'th' : 'td');
      return Object.assign(cell, { className });
    });
    const [name, is, came, coming, act] = cells;
    name.scope = 'row';
    name.textContent = key;
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Switch…' });
    button.setAttribute('aria-label', `Switch or keep ${key}`);
    button.tabIndex = -1;
    button.addEventListener('click', () => ask(key));
    act.append(button);
    row.append(...cells);
    return { row, cells: { is, came, coming }, button, key };
  }

  const text = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };

  function draw(line, one) {
    line.one = one;
    line.row.className = one.tone;
    for (const [part, cell] of Object.entries(line.cells)) text(cell, one[part]);
  }

  /** Failures first, then what is under way; else by name. A line that keeps its place is not touched. */
  function order() {
    const place = ({ one }) => rank[one.tone] ?? 2;
    const wanted = [...lines.values()].sort((a, b) => place(a) - place(b) || (a.key < b.key ? -1 : 1));
    const focused = document.activeElement;
    let next = body.firstChild;
    for (const { row } of wanted) {
      if (row === next) next = next.nextSibling;
      else body.insertBefore(row, next);
    }
    if (focused !== document.activeElement) focused?.focus?.({ preventScroll: true });
    filter();
    if (!buttons().some(({ tabIndex }) => tabIndex === 0)) buttons()[0]?.setAttribute('tabindex', '0');
  }

  const buttons = () => [...body.querySelectorAll('tr:not([hidden]) button')];

  function filter() {
    const words = find.value.trim().toLowerCase();
    let shown = 0;
    for (const { row, key, one } of lines.values()) {
      const hidden = words !== '' && !`${key} ${one.state}`.toLowerCase().includes(words);
      if (row.hidden !== hidden) row.hidden = hidden;
      if (!hidden) shown++;
    }
    const none = shown === 0 && lines.size > 0 ? ': look for part of a namespace, a name or a state' : '';
    const figure = (number) => number.toLocaleString('en');
    const all = lines.size === 1 ? '1 VM' : `${figure(lines.size)} VMs`;
    text(count, shown === lines.size ? all : `${figure(shown)} of ${all}${none}`);
  }

  /** What the server has written anew. What was open and what had the focus there stay so. */
  function fill(parts) {
    for (const [id, html] of Object.entries(parts)) {
      const place = by(id);
      const open = place.querySelector('details')?.open;
      const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute('href') : undefined;
      place.innerHTML = html;
      const details = place.querySelector('details');
      if (details && open) details.open = true;
      if (focused) [...place.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
    }
  }

  function take({ whole, rows, gone, parts }) {
    const there = new Set(rows.map(({ namespace, name }) => `${namespace}/${name}`));
    const left = whole ? [...lines.keys()].filter((key) => !there.has(key)) : gone;
    for (const key of left) {
      lines.get(key)?.row.remove();
      lines.delete(key);
    }
    for (const one of rows) {
      const key = `${one.namespace}/${one.name}`;
      const line = lines.get(key) ?? newLine(key);
      lines.set(key, line);
      draw(line, one);
    }
    if (whole || rows.length + left.length > 0) order();
    fill(parts);
  }

  function focusOn(line) {
    if (line.row.hidden) {
      find.value = '';
      filter();
    }
    for (const each of buttons()) if (each.tabIndex === 0) each.tabIndex = -1;
    line.button.tabIndex = 0;
    line.button.focus({ preventScroll: true });
    line.row.scrollIntoView({ block: 'center' });
  }

  function ask(key) {
    chosen = lines.get(key)?.one;
    if (!chosen) return;
    by('who').textContent = `${key} is ${chosen.state}`;
    dialog.showModal();
  }

  async function send(action) {
    const { namespace, name } = chosen;
    const key = `${namespace}/${name}`;
    said.textContent = `${key}: ${action}…`;
    dialog.close();
    try {
      const answer = await fetch('/act', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ action, namespace, name, for: by('for').value }),
      });
      said.textContent = (await answer.json()).says;
    } catch {
      said.textContent = `${key}: wukong ui does not answer any more. Start it again.`;
    }
  }

  for (const button of dialog.querySelectorAll('[data-action]'))
    button.addEventListener('click', () => void send(button.dataset.action));
  by('cancel').addEventListener('click', () => dialog.close());
  find.addEventListener('input', filter);
  body.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = buttons();
    const from = all.indexOf(document.activeElement);
    const to = all[Math.max(0, Math.min(all.length - 1, from + step))];
    if (!to) return;
    all[from]?.setAttribute('tabindex', '-1');
    to.tabIndex = 0;
    to.focus();
  });
  by('wrong').addEventListener('click', (event) => {
    const line = lines.get(event.target.closest('a')?.getAttribute('href').slice('#vm/'.length));
    if (!line) return;
    focusOn(line);
    event.preventDefault();
  });

  const events = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  events.addEventListener('message', ({ data }) => {
    take(JSON.parse(data));
    text(by('link'), 'Live');
  });
  events.addEventListener('error', () => text(by('link'), 'Not connected: trying again'));
})();
