// A WebSocket that stays: it watches for silence and comes back after a wait that grows, with jitter, so that many clients
// of one gateway do not come back at once. It knows nothing of what the messages say.

/** The gateway is asked to say something at least this often. */
const HEARTBEAT_MS = 1000;
/** A connection that says nothing for so long is dead. */
const SILENCE_MS = 3.5 * HEARTBEAT_MS;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** How long to wait before attempt number `attempt` (from 0): between half of the step and all of it. */
export function backoff(attempt, random = Math.random()) {
  const step = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return (step / 2) * (1 + random);
}

export class Connection {
  #url;
  #handlers;
  #socket = null;
  #attempt = 0;
  #silence;
  #least = 0;

  /** Connects to `url`; calls `opened()`, `received(text)`, and `lost(wait)` with the ms until the next attempt. */
  constructor(url, handlers) {
    this.#url = `${url}?heartbeat_ms=${HEARTBEAT_MS}`;
    this.#handlers = handlers;
    this.#connect();
  }

  /** Sends an object, if connected: what is to be known after a reconnect is for `opened` to send. */
  send(object) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(object));
  }

  /** Makes the next reconnect wait for at least `ms`. */
  retryAfter(ms) {
    this.#least = ms;
  }

  /** Gives this connection up for a new one. */
  restart() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    clearTimeout(this.#silence);
    socket.close();
    const wait = Math.max(backoff(this.#attempt++), this.#least * (1 + Math.random() / 4));
    this.#least = 0;
    this.#handlers.lost(wait);
    setTimeout(() => this.#connect(), wait);
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    // A socket that was given up may still have events under way.
    const whileCurrent = (act) => (event) => socket === this.#socket && act(event);
    socket.onopen = whileCurrent(() => this.#handlers.opened());
    socket.onclose = whileCurrent(() => this.restart());
    socket.onmessage = whileCurrent(({ data }) => {
      this.#attempt = 0;
      this.#listen();
      this.#handlers.received(data);
    });
    this.#socket = socket;
    this.#listen();
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.restart(), SILENCE_MS);
  }
}
