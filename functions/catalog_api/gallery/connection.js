// Determines whether the API can be reached. While it cannot, sends requests with back-off until it responds.

import { isReachable } from './api.js';

const FIRST_WAIT_MS = 2_000;
const LAST_WAIT_MS = 30_000;

export class Connection {
  /** `onChange()` is called after each change of `isOnline`. */
  constructor(onChange) {
    Object.assign(this, { onChange, isOnline: navigator.onLine, wait: FIRST_WAIT_MS, timer: 0, checking: null });
    addEventListener('offline', () => this.set(false));
    addEventListener('online', () => this.check());
    if (!this.isOnline) this.checkLater();
  }

  /** Sends a request to the API, one at a time. Returns whether the API responded. */
  check() {
    this.checking ??= this.ask().finally(() => (this.checking = null));
    return this.checking;
  }

  async ask() {
    // navigator.onLine is only reliable when it is false. True may mean a network without the Internet (HTML Standard).
    const isOnline = navigator.onLine && (await isReachable());
    this.set(isOnline);
    return isOnline;
  }

  set(isOnline) {
    clearTimeout(this.timer);
    if (isOnline) this.wait = FIRST_WAIT_MS;
    else this.checkLater();
    if (isOnline === this.isOnline) return;
    this.isOnline = isOnline;
    this.onChange();
  }

  checkLater() {
    this.timer = setTimeout(() => this.check(), this.wait);
    this.wait = Math.min(LAST_WAIT_MS, this.wait * 2);
  }
}
