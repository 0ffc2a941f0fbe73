// Shows what VMs are doing as the server tells it, and asks it for what somebody wishes.
(() => {
  const token = new URLSearchParams(location.search).get('token');
  history.replaceState(null, '', location.pathname); // not where a screenshot shows it
  const by = (id) => document.getElementById(id);
  const [body, find, said, plan, dialog, count] = ['rows', 'find', 'said', 'plan', 'dialog', 'count'].map(by);
  const lines = new Map();
  const bad = (one) => one.last?.outcome === 'Failed' || one.state === 'Failed';
  const rank = (one) => (bad(one) ? 0 : one.operation ? 1 : 2);
  const time = (text) =>
    new Date(text).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const glyphs = { Running: '●', Stopped: '○', Starting: '◔', Stopping: '◕', Paused: '‖', Failed: '✕', Unknown: '?' };
  let chosen;

  function cell(tag, className) {
    const made = document.createElement(tag);
    made.className = className;
    return made;
  }

  function newLine(key) {
    const row = document.createElement('tr');
    const [name, state, last, next] = ['who', 'is', 'came', 'coming'].map((part) =>
      cell(part === 'who' ? 'th' : 'td', part),
    );
    name.scope = 'row';
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Switch…';
    button.setAttribute('aria-label', `Switch or keep ${key}`);
    button.tabIndex = -1;
    button.addEventListener('click', () => ask(key));
    const act = cell('td', 'act');
    act.append(button);
    row.append(name, state, last, next, act);
    name.textContent = key;
    return { row, state, last, next, button, key };
  }

  const text = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };

  function draw(line, one) {
    line.one = one;
    const doing = one.operation ? `, ${one.operation.action} since ${time(one.operation.startedAt)}` : '';
    text(line.state, `${glyphs[one.state] ?? '?'} ${one.state}${doing}`);
    line.row.className = bad(one) ? 'bad' : one.operation ? 'busy' : '';
    const { outcome, reason, finishedAt, message } = one.last ?? {};
    const why = reason ? `${outcome}: ${reason}` : outcome;
    text(
      line.last,
      outcome ? `${why}${finishedAt ? `, ${time(finishedAt)}` : ''}${bad(one) ? `. ${message}` : ''}` : '–',
    );
    const kept = one.overrides?.['keep-running-until'] ?? one.overrides?.['keep-stopped-until'];
    const keeping = one.overrides?.['keep-running-until'] ? 'kept running' : 'kept stopped';
    const planned = one.nextActionTime ? `${one.nextAction} ${time(one.nextActionTime)}` : '–';
    text(line.next, kept ? `${planned}, ${keeping} until ${time(kept)}` : planned);
  }

  /** Failures first, then what is under way; else by name. A line that keeps its place is not touched. */
  function order() {
    const wanted = [...lines.values()].sort(
      (a, b) => rank(a.one) - rank(b.one) || (a.key < b.key ? -1 : Number(a.key > b.key)),
    );
    const focused = document.activeElement;
    wanted.forEach(({ row }, i) => {
      if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
    });
    if (focused !== document.activeElement) focused?.focus?.({ preventScroll: true });
    if (!buttons().some(({ tabIndex }) => tabIndex === 0)) buttons()[0]?.setAttribute('tabindex', '0');
    filter();
  }

  const visible = ({ row }) => !row.hidden;
  const buttons = () => [...body.querySelectorAll('tr:not([hidden]) button')];

  function filter() {
    const words = find.value.trim().toLowerCase();
    for (const line of lines.values()) {
      const hidden = words !== '' && !`${line.key} ${line.one.state}`.toLowerCase().includes(words);
      if (line.row.hidden !== hidden) line.row.hidden = hidden;
    }
    const shown = [...lines.values()].filter(visible).length;
    text(count, shown === lines.size ? `${shown} VMs` : `${shown} of ${lines.size} VMs`);
  }

  /** Until tomorrow noon: what the next night brings. */
  function drawPlan() {
    const until = Date.now() + 24 * 3_600_000;
    const groups = new Map();
    for (const { one } of lines.values()) {
      const at = Date.parse(one.nextActionTime ?? '');
      if (!(at < until)) continue;
      const group = `${one.nextActionTime}|${one.nextAction}`;
      groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    const items = [...groups].sort().slice(0, 12);
    const words = items.map(([group, n]) => {
      const [at, action] = group.split('|');
      return `${time(at)}: ${action} ${n} VM${n === 1 ? '' : 's'}`;
    });
    const now = [...plan.children].map(({ textContent }) => textContent);
    const lines_ = words.length > 0 ? words : ['Nothing is planned within a day.'];
    if (now.join('|') === lines_.join('|')) return;
    plan.replaceChildren(...lines_.map((each) => Object.assign(document.createElement('li'), { textContent: each })));
  }

  function take({ states, gone }) {
    for (const key of gone) {
      lines.get(key)?.row.remove();
      lines.delete(key);
    }
    for (const one of states) {
      const key = `${one.namespace}/${one.name}`;
      const line = lines.get(key) ?? newLine(key);
      lines.set(key, line);
      draw(line, one);
    }
    order();
    drawPlan();
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
    const by_ = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (by_ === undefined) return;
    event.preventDefault();
    const all = buttons();
    const from = all.indexOf(document.activeElement);
    const to = all[Math.max(0, Math.min(all.length - 1, from + by_))];
    if (!to) return;
    all[from]?.setAttribute('tabindex', '-1');
    to.tabIndex = 0;
    to.focus();
  });

  const events = new EventSource(`/events?token=${encodeURIComponent(token)}`);
  events.addEventListener('message', ({ data }) => {
    take(JSON.parse(data));
    by('link').textContent = 'Live';
  });
  events.addEventListener('error', () => (by('link').textContent = 'Not connected: trying again'));
})();
