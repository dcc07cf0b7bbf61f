// The program behind the loopback bridge: one WebSocket, JSON messages, the token of the page's address.
//
// to the program:   {id, ask} · {id, subscribe: spec} · {unsubscribe: id}
// from the program: {id, reply} · {id, failure} · {id, view: ViewMessage}

import type { Ask, Failure, ViewMessage, ViewSpec } from './gen';
import { AskFailure, valueOf, type Answer, type Host, type Link, type Unsubscribe } from './host';

/** Milliseconds before the first try to come back; doubles up to the last. */
const FIRST_RETRY = 500;
const LAST_RETRY = 5_000;
/** An answer that takes longer than this will not come: a test connection is given 20 s by the program. */
const ANSWER_LIMIT = 40_000;

interface Pending {
  resolve: (value: unknown) => void;
  reject: (failure: AskFailure) => void;
  timer: ReturnType<typeof setTimeout>;
}

interface Subscription {
  spec: ViewSpec;
  on: (message: ViewMessage) => void;
}

interface Incoming {
  id?: number;
  reply?: unknown;
  failure?: Failure;
  view?: ViewMessage;
}

/** The bridge's socket address for a page address. */
export function socketAddress(page: URL): string {
  const scheme = page.protocol === 'https:' ? 'wss:' : 'ws:';
  const token = page.searchParams.get('token') ?? '';
  return `${scheme}//${page.host}/ws?token=${encodeURIComponent(token)}`;
}

export class WebHost implements Host {
  /** The program serves from afar and makes no sound. */
  readonly sounds = 'page' as const;

  #address: string;
  #make: (address: string) => WebSocket;
  #socket: WebSocket | null = null;
  #nextId = 1;
  #pending = new Map<number, Pending>();
  #subscriptions = new Map<number, Subscription>();
  #unsent: string[] = [];
  #retry = FIRST_RETRY;
  #link: Link = { up: true };
  #listeners = new Set<(link: Link) => void>();

  constructor(address: string, make: (address: string) => WebSocket = (a) => new WebSocket(a)) {
    this.#address = address;
    this.#make = make;
    this.#connect();
  }

  ask<A extends Ask>(ask: A): Promise<Answer<A>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(lost('The program did not answer in time; try again.'));
      }, ANSWER_LIMIT);
      this.#pending.set(id, { resolve: (value) => resolve(value as Answer<A>), reject, timer });
      this.#send(JSON.stringify({ id, ask }));
    });
  }

  subscribe(spec: ViewSpec, on: (message: ViewMessage) => void): Promise<Unsubscribe> {
    const id = this.#nextId++;
    this.#subscriptions.set(id, { spec, on });
    if (this.#isOpen()) this.#socket?.send(JSON.stringify({ id, subscribe: spec }));
    return Promise.resolve(() => {
      if (!this.#subscriptions.delete(id)) return;
      if (this.#isOpen()) this.#socket?.send(JSON.stringify({ unsubscribe: id }));
    });
  }

  onLink(on: (link: Link) => void): Unsubscribe {
    this.#listeners.add(on);
    on(this.#link);
    return () => this.#listeners.delete(on);
  }

  #isOpen(): boolean {
    return this.#socket?.readyState === 1;
  }

  #send(text: string): void {
    if (this.#isOpen()) this.#socket?.send(text);
    else this.#unsent.push(text);
  }

  #connect(): void {
    const socket = this.#make(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = FIRST_RETRY;
      this.#tell({ up: true });
      for (const [id, { spec }] of this.#subscriptions) {
        socket.send(JSON.stringify({ id, subscribe: spec }));
      }
      for (const text of this.#unsent.splice(0)) socket.send(text);
    };
    socket.onmessage = (event) => this.#take(String(event.data));
    socket.onclose = () => this.#lose(socket);
  }

  #take(text: string): void {
    let message: Incoming;
    try {
      message = JSON.parse(text) as Incoming;
    } catch {
      return;
    }
    if (message.id === undefined) return;
    if (message.view) {
      this.#subscriptions.get(message.id)?.on(message.view);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.failure) pending.reject(new AskFailure(message.failure));
    else pending.resolve(valueOf(message.reply));
  }

  #lose(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    // Whether a question arrived before the cut is not known, so it is not asked twice.
    this.#unsent = [];
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(lost('The link to the program was lost before it answered; look whether it was done.'));
    }
    this.#pending.clear();
    if (this.#link.up) this.#tell({ up: false, since: Date.now() });
    setTimeout(() => this.#connect(), this.#retry);
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
  }

  #tell(link: Link): void {
    this.#link = link;
    for (const on of this.#listeners) on(link);
  }
}

function lost(sentence: string): AskFailure {
  return new AskFailure({ code: 'internal', sentence, field: null });
}
