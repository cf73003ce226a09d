/**
 * Call stacks as small integers. A node is (parent node, call site); node 0 is the empty stack. The same stack always gets the same
 * number, so a trace column of numbers holds the stack of every event, and comparing two stacks is comparing two numbers.
 *
 * Nodes are never undone: they are names, not state.
 */
export class CallTree {
  private readonly parents: number[] = [0];
  private readonly sites: number[] = [0];
  private readonly children: (Map<number, number> | undefined)[] = [undefined];

  /** The node for a call made at `site` (a program-wide site number) from the stack `parent`. */
  enter(parent: number, site: number): number {
    let map = this.children[parent];
    if (map === undefined) {
      map = new Map();
      this.children[parent] = map;
    }
    let node = map.get(site);
    if (node === undefined) {
      node = this.parents.length;
      this.parents.push(parent);
      this.sites.push(site);
      this.children.push(undefined);
      map.set(site, node);
    }
    return node;
  }

  parent(node: number): number {
    return this.parents[node];
  }

  /** The call site that led into this node, in the caller. */
  site(node: number): number {
    return this.sites[node];
  }
}
