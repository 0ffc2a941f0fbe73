/** A queue that goes round: the namespaces take turns, and within a namespace its groups. */
export class Rounds<T> {
  readonly #spaces = new Map<string, Map<string, T[]>>();

  add(item: T, namespace: string, group: string): void {
    const groups = this.#spaces.get(namespace) ?? new Map<string, T[]>();
    const items = groups.get(group) ?? [];
    items.push(item);
    this.#spaces.set(namespace, groups.set(group, items));
  }

  /** Whose turn it is. */
  first(): T | undefined {
    const [groups] = this.#spaces.values();
    return groups?.values().next().value?.[0];
  }

  /** Takes that one away, and sends its namespace and its group to the end. */
  shift(): void {
    const [space] = this.#spaces;
    if (!space) return;
    const [namespace, groups] = space;
    const [group] = groups;
    if (!group) return;
    const [key, items] = group;
    items.shift();
    groups.delete(key);
    if (items.length > 0) groups.set(key, items);
    this.#spaces.delete(namespace);
    if (groups.size > 0) this.#spaces.set(namespace, groups);
  }

  /** Takes one away, wherever it stands; false when it is not there. */
  remove(item: T): boolean {
    for (const [namespace, groups] of this.#spaces)
      for (const [group, items] of groups) {
        if (!items.includes(item)) continue;
        if (items.length > 1)
          groups.set(
            group,
            items.filter((one) => one !== item),
          );
        else groups.delete(group);
        if (groups.size === 0) this.#spaces.delete(namespace);
        return true;
      }
    return false;
  }
}
