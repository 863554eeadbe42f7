// The tools above the grid: search, filters with counts, order, and the scrubber that jumps to a month.

import { call } from './api.js';
import { $, h } from './dom.js';
import { formatCount, formatMonth, reasonName, t } from './texts.js';

const TYPED_MS = 300;
// Each filter with its list in the summary, and the text of its first choice.
const FILTERS = {
  camera: ['cameras', 'anyCamera'], format: ['formats', 'anyFormat'], reason: ['reasons', 'anyReason'],
};

export class Find {
  /** `onChange()` is called after a change of `query`, and `onJump(month)` for a month, or '' for the newest. */
  constructor({ onChange, onJump }) {
    Object.assign(this, { onChange, onJump, months: [], summary: null, view: '' });
    $('find-name').addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(onChange, TYPED_MS);
    });
    [...Object.keys(FILTERS), 'order'].forEach((name) => $(`find-${name}`).addEventListener('change', onChange));
    $('find').addEventListener('submit', (event) => event.preventDefault());
    const scrubber = $('scrubber');
    scrubber.addEventListener('input', () => this.drawMonth());
    scrubber.addEventListener('change', () => this.jumpTo(Number(scrubber.value)));
    $('newer').addEventListener('click', () => this.jumpTo(Math.max(0, Number(scrubber.value) - 1)));
  }

  /** Returns the order and the filters that are not empty. */
  get query() {
    if (this.view === 'deleted') return {};
    const names = this.view === 'rejected' ? ['reason'] : ['camera', 'format', 'order'];
    const values = [['name', $('find-name').value.trim()], ...names.map((name) => [name, $(`find-${name}`).value])];
    return Object.fromEntries(values.filter(([, value]) => value));
  }

  /** Shows the tools of a view without any filter. */
  show(view) {
    this.view = view;
    $('find-name').value = '';
    this.summary = null;
    this.draw();
    this.load();
  }

  /** Loads the counts. If that fails, the filters stay hidden. */
  async load() {
    const { view } = this;
    if (view === 'deleted') return;
    const status = view === 'rejected' ? 'REJECTED' : 'READY';
    const summary = await call('GET', `images/summary?status=${status}`).catch(() => null);
    if (view !== this.view || !summary) return;
    this.summary = summary;
    this.draw();
  }

  draw() {
    const isPhotos = this.view === '';
    $('find').hidden = this.view === 'deleted' || $('gallery').hidden;
    $('find-order').hidden = $('select').hidden = !isPhotos;
    Object.entries(FILTERS).forEach(([name, [list, any]]) => this.drawFilter(name, this.summary?.[list] ?? [], any));
    $('find-reason').hidden ||= this.view !== 'rejected';
    $('find-camera').hidden ||= !isPhotos;
    $('find-format').hidden ||= !isPhotos;
    this.months = this.summary?.months ?? [];
    const isByMonth = isPhotos && this.months.length > 1 && $('find-order').value === 'taken';
    $('scrubber').parentElement.hidden = !isByMonth;
    $('scrubber').max = this.months.length - 1;
    this.drawMonth();
  }

  drawFilter(name, values, any) {
    const select = $(`find-${name}`);
    const chosen = select.value;
    const nameOf = name === 'reason' ? reasonName : String;
    const options = values.map(({ value, images }) =>
      h('option', { value }, `${nameOf(value)} (${formatCount(images)})`));
    select.replaceChildren(h('option', { value: '' }, t(any)), ...options);
    select.value = values.some(({ value }) => value === chosen) ? chosen : '';
    select.hidden = values.length < 2 && !select.value;
  }

  drawMonth() {
    const month = this.months[Number($('scrubber').value)];
    if (!month) return;
    const text = month.images === null ? formatMonth(month.month)
      : t('monthCount', { month: formatMonth(month.month), count: formatCount(month.images) });
    $('scrubber').setAttribute('aria-valuetext', text);
    $('month').textContent = text;
  }

  jumpTo(index) {
    $('scrubber').value = index;
    this.drawMonth();
    this.onJump(index ? this.months[index].month : '');
  }

  /** Moves the scrubber to the month at the top of the window. */
  follow(month) {
    const index = this.months.findIndex((other) => other.month === month);
    const isSame = index === Number($('scrubber').value);
    if (index < 0 || isSame || document.activeElement === $('scrubber')) return;
    $('scrubber').value = index;
    this.drawMonth();
  }
}
