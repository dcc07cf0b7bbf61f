import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { AskFailure, type Link } from './host';
import { socketAddress, WebHost } from './web';

class Socket {
  static made: Socket[] = [];
  readyState = 0;
  sent: Array<Record<string, unknown>> = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor(readonly address: string) {
    Socket.made.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  cut() {
    this.readyState = 3;
    this.onclose?.();
  }
}
const make = (address: string) => new Socket(address) as unknown as WebSocket;
const last = () => Socket.made[Socket.made.length - 1]!;

describe('the bridge', () => {
  beforeEach(() => {
    Socket.made = [];
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('takes host and token from the page’s address', () => {
    expect(socketAddress(new URL('http://127.0.0.1:4711/?token=a%26b'))).toBe('ws://127.0.0.1:4711/ws?token=a%26b');
  });

  it('pairs answers with questions, in any order', async () => {
    const host = new WebHost('ws://x', make);
    last().open();
    const vendors = host.ask({ ask: 'vendors' });
    const done = host.ask({ ask: 'acknowledge', alert: 'e1' });
    expect(last().sent).toEqual([{ id: 1, ask: { ask: 'vendors' } }, { id: 2, ask: { ask: 'acknowledge', alert: 'e1' } }]);
    last().say({ id: 2, reply: { reply: 'done' } });
    last().say({ id: 1, reply: { reply: 'vendors', value: [] } });
    expect(await done).toBeUndefined();
    expect(await vendors).toEqual([]);
  });

  it('throws a failure with its code', async () => {
    const host = new WebHost('ws://x', make);
    last().open();
    const asked = host.ask({ ask: 'retry', id: 'shop' });
    last().say({ id: 1, failure: { code: 'not_found', sentence: 'No such source.', field: null } });
    const failure: unknown = await asked.catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(AskFailure);
    expect(failure).toMatchObject({ code: 'not_found', sentence: 'No such source.' });
  });

  it('says when it is cut off, comes back by itself, and subscribes anew', async () => {
    const links: Link[] = [];
    const host = new WebHost('ws://x', make);
    host.onLink((link) => links.push(link));
    last().open();
    const seen: unknown[] = [];
    await host.subscribe({ view: 'queues' }, (message) => seen.push(message));
    const pending = host.ask({ ask: 'hello' }).catch((thrown: unknown) => thrown);
    last().cut();
    expect(links[links.length - 1]).toMatchObject({ up: false });
    expect(await pending).toBeInstanceOf(AskFailure);
    vi.advanceTimersByTime(500);
    expect(Socket.made).toHaveLength(2);
    last().open();
    expect(links[links.length - 1]).toEqual({ up: true });
    expect(last().sent).toEqual([{ id: 1, subscribe: { view: 'queues' } }]);
    last().say({ id: 1, view: { type: 'snapshot', seq: 1 } });
    expect(seen).toHaveLength(1);
  });

  it('waits longer each time, at most five seconds', () => {
    new WebHost('ws://x', make);
    for (const pause of [500, 1000, 2000, 4000, 5000, 5000]) {
      const before = Socket.made.length;
      last().cut();
      vi.advanceTimersByTime(pause - 1);
      expect(Socket.made).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(Socket.made).toHaveLength(before + 1);
    }
  });

  it('ignores what is not its language', async () => {
    const host = new WebHost('ws://x', make);
    last().open();
    const asked = host.ask({ ask: 'sources' });
    last().onmessage?.({ data: 'not json' });
    last().say({ id: 99, reply: { reply: 'done' } });
    last().say({});
    last().say({ id: 1, reply: { reply: 'sources', value: [] } });
    expect(await asked).toEqual([]);
  });
});
