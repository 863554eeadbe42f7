// The part of the address after `#`: which view and which photo are shown. Back and Forward move between them.

const VIEWS = ['rejected', 'deleted'];

/** Returns `{view, photo}` of the address: '' for the photos, 'rejected' or 'deleted', and a photo's id or null. */
export function readAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const photo = fragment.get('photo');
  return {
    view: VIEWS.find((name) => fragment.has(name)) ?? '',
    photo: /^[0-9a-f]{32}$/.test(photo ?? '') ? photo : null,
  };
}

function addressOf({ view, photo }) {
  const parts = [view, photo && `photo=${photo}`].filter(Boolean);
  return location.pathname + (parts.length ? `#${parts.join('&')}` : '');
}

/** Adds an entry to the history, unless it has the same address. The entry records that the page has added it. */
export function goTo(place) {
  if (addressOf(place) === location.pathname + location.hash) return;
  // Back from a photo would restore the earlier scroll position, away from the photo that was shown last.
  if (place.photo) history.scrollRestoration = 'manual';
  history.pushState({ isOurs: true }, '', addressOf(place));
}

/** Replaces the address of the current entry. */
export function replaceAddress(place) {
  history.replaceState(history.state, '', addressOf(place));
}

/** Leaves the entry of a photo: with Back if this page has added it, so that Forward opens the photo again. */
export function leavePhoto(place) {
  if (history.state?.isOurs) history.back();
  else replaceAddress(place);
}
