// The line below the grid, and the message in place of an empty grid.

import { $, h } from './dom.js';
import { formatCount, t } from './texts.js';

/** Draws both for a listing. `acceptedFiles` says which files can be uploaded. `retry()` loads the next page again. */
export function drawFooter(listing, acceptedFiles, retry) {
  const isEmpty = !listing.images.length && listing.ended;
  $('empty').hidden = !isEmpty;
  if (isEmpty) $('empty').replaceChildren(...emptyMessage(listing, acceptedFiles));
  $('accepts').hidden = isEmpty || listing.status !== 'READY';
  $('more').replaceChildren(...footer(listing, isEmpty, retry));
}

function emptyMessage(listing, acceptedFiles) {
  if (listing.isFiltered) return [h('p', { class: 'large' }, t('noMatches'))];
  if (listing.status !== 'READY') {
    return [h('p', { class: 'large' }, t(listing.status === 'REJECTED' ? 'noRejected' : 'noDeleted'))];
  }
  const button = h('button', { type: 'button', class: 'primary', onclick: () => $('files').click() }, t('upload'));
  const words = [h('p', {}, t('noPhotosHelp')), h('p', {}, acceptedFiles)];
  return [h('p', { class: 'large' }, t('noPhotos')), ...words, button];
}

function footer(listing, isEmpty, retry) {
  if (listing.failed) return [t('loadingFailed'), ' ', h('button', { type: 'button', onclick: retry }, t('retry'))];
  if (listing.loading) return [t('loading')];
  if (!listing.ended || isEmpty) return [];
  return [t('total', { count: formatCount(listing.images.length) })];
}
