// The page's texts in English and Korean, and its formats for numbers and times.

import english from './texts.en.js';
import korean from './texts.ko.js';

const TEXTS = { en: english, ko: korean };
const STORED_LANGUAGE = 'eventloom.language';

const preferred = navigator.languages.map((name) => name.slice(0, 2)).find((name) => name in TEXTS);
export let language = localStorage.getItem(STORED_LANGUAGE) ?? preferred ?? 'en';
if (!(language in TEXTS)) language = 'en';

/** Returns the text with a name. Each `{placeholder}` in the text is replaced by the value with the same name. */
export function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, placeholder) => values[placeholder]);
}

/** Returns why an image was rejected and what to do next. For a code without a translation, it is the API's text. */
export function rejectionText(image) {
  const { reasons, nextSteps } = TEXTS[language];
  const reason = reasons[image.reason] ?? image.reason_text ?? t('unknownReason');
  return [reason, nextSteps[image.reason] ?? nextSteps.unreadable].join(' ');
}

/** Returns a short name of the code of a reason, for a list to choose from. */
export const reasonName = (code) => TEXTS[language].reasonNames[code] ?? code.replaceAll('_', ' ');

/** Changes the language and remembers it on this device. */
export function setLanguage(name) {
  language = name;
  localStorage.setItem(STORED_LANGUAGE, name);
}

/** Translates every element that has a `data-text` (its content) or a `data-label` (its accessible name). */
export function translate(root = document) {
  document.documentElement.lang = language;
  root.querySelectorAll('[data-text]').forEach((element) => (element.textContent = t(element.dataset.text)));
  root.querySelectorAll('[data-label]').forEach((element) => {
    element.setAttribute('aria-label', t(element.dataset.label));
    if (element.placeholder) element.placeholder = t(element.dataset.label);
  });
}

/** Sets an element's text by name, so that it follows the language. Empties the element if there is no name. */
export function setText(element, name) {
  if (name) element.dataset.text = name;
  else delete element.dataset.text;
  element.textContent = name ? t(name) : '';
}

const formatters = new Map();

// Formatters are cached, because creating one is slow and the grid formats a date for every photo.
function formatter(kind, options) {
  const name = `${language} ${JSON.stringify(options)}`;
  if (!formatters.has(name)) formatters.set(name, new Intl[kind](language, options));
  return formatters.get(name);
}

/** Formats 1234567 as "1,234,567". */
export const formatCount = (value) => formatter('NumberFormat', {}).format(value);

/** Formats a number of bytes as "400 bytes", "2.4 MB". */
export function formatBytes(value) {
  if (value < 1e3) return formatter('NumberFormat', { style: 'unit', unit: 'byte', unitDisplay: 'long' }).format(value);
  const [size, unit] = value < 1e6 ? [value / 1e3, 'kilobyte'] : [value / 1e6, 'megabyte'];
  const maximumFractionDigits = size < 10 ? 1 : 0;
  return formatter('NumberFormat', { style: 'unit', unit, maximumFractionDigits }).format(size);
}

/** Formats a day such as `2026-06-15`, without regard to time zones. */
export const formatDay = (day) =>
  formatter('DateTimeFormat', { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(day));

/** Formats a month such as `2026-06`. */
export const formatMonth = (month) =>
  formatter('DateTimeFormat', { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(month));

/** Formats an ISO 8601 time in the browser's time zone. */
export const formatTime = (iso) => {
  return formatter('DateTimeFormat', { dateStyle: 'long', timeStyle: 'short' }).format(new Date(iso));
};

/** Returns the offset from UTC of the browser's clock, as in `+09:00`. */
export function utcOffset() {
  // The number of minutes by which UTC is ahead of local time.
  const behind = new Date().getTimezoneOffset();
  const pad = (value) => String(Math.floor(value)).padStart(2, '0');
  return `${behind > 0 ? '-' : '+'}${pad(Math.abs(behind) / 60)}:${pad(Math.abs(behind) % 60)}`;
}

/** Formats the time at which a photo was taken: the camera's local time, and its offset if known. */
export function formatTaken({ taken_at: takenAt, utc_offset: offset }) {
  const options = { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' };
  const time = formatter('DateTimeFormat', options).format(new Date(`${takenAt.slice(0, 19)}Z`));
  return offset ? `${time} (UTC${offset})` : time;
}
