// Helpers for the DOM. Elements are built without HTML strings, so uploaded names are never parsed as markup.

/** Returns a new element. `properties` are `class`, `aria-*`, `data-*`, `on*` listeners, or DOM properties. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes('-')) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Returns the element with an id. */
export const $ = (id) => document.getElementById(id);

/** Returns whether a key is pressed without modifiers. Browsers use combinations such as Alt+Left, which goes back. */
export const hasNoModifier = (event) => !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);

/** Announces a text to screen readers. */
export function announce(text) {
  $('announcement').textContent = text;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Returns a line icon on a grid of 24 units, hidden from screen readers. */
export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  previous: 'M14.5 5l-7 7 7 7',
  next: 'M9.5 5l7 7-7 7',
  theme: 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 5a7 7 0 0 1 0 14z',
  'zoom-in': 'M11 4a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM16 16l5 5M8 11h6M11 8v6',
  'zoom-out': 'M11 4a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM16 16l5 5M8 11h6',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 5M15.5 9.5h.01',
};

/** Waits for a number of milliseconds. */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
