// Calls the catalog's HTTP API. The API key, or the token of a Cognito user, is kept for this session only.

import { pause } from './dom.js';

const KEY = 'eventloom.key';
const TOKEN = 'eventloom.token';
const VERIFIER = 'eventloom.verifier';
const MAX_ATTEMPTS = 4;

const pageAddress = () => location.origin + location.pathname;

/** An error answer of the API: its HTTP status (0 without an answer) and its detail. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

let config = null;

/** Returns the page's configuration, and loads it once. Throws ApiError. */
export async function loadConfig() {
  if (!config) {
    const response = await fetch(new URL('config.json', import.meta.url));
    if (!response.ok) throw new ApiError(response.status, 'config.json');
    config = await response.json();
    takeKeyFromAddress();
  }
  return config;
}

/**
 * Moves an API key from the address (`#key=...`) to the session. Returns whether there was a key to use.
 *
 * Browsers send no fragment to a server. The key is removed from the address and from the history.
 */
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (!config || !key) return false;
  history.replaceState(null, '', location.pathname);
  if (config.auth !== 'api_key') return false;
  saveKey(key);
  return true;
}

function credentialHeaders() {
  const [key, token] = [sessionStorage.getItem(KEY), sessionStorage.getItem(TOKEN)];
  if (config.auth === 'api_key' && key) return { 'X-Api-Key': key };
  if (config.auth === 'cognito' && token) return { Authorization: token };
  return {};
}

/** Returns whether the page has credentials, or needs none. */
export const isSignedIn = () => config.auth === 'none' || Object.keys(credentialHeaders()).length > 0;

/** Saves an API key for this session. */
export const saveKey = (key) => sessionStorage.setItem(KEY, key.trim());

/** Deletes the session's credentials. */
export function forgetCredentials() {
  [KEY, TOKEN, VERIFIER].forEach((name) => sessionStorage.removeItem(name));
}

/** Signs out, also from Cognito, and reloads the page so that nothing stays on the screen. */
export function signOut() {
  forgetCredentials();
  if (config.auth !== 'cognito') return location.reload();
  const query = new URLSearchParams({ client_id: config.cognito.client_id, logout_uri: pageAddress() });
  return location.assign(`${config.cognito.domain}/logout?${query}`);
}

/**
 * Calls an operation. Returns its JSON, or null for an answer without a body. Throws ApiError.
 *
 * Retries with back-off if the API is busy (429, 503) or does not answer.
 */
export async function call(method, path, body) {
  const headers = headersFor(body);
  for (let attempt = 1; ; attempt++) {
    let response;
    try {
      response = await fetch(new URL(path, pageAddress()), { method, headers, body: body && JSON.stringify(body) });
    } catch {
      response = null;
    }
    if (response?.ok) return response.status === 204 ? null : response.json();
    const isTransient = !response || response.status === 429 || response.status === 503;
    if (!isTransient || attempt === MAX_ATTEMPTS) {
      throw new ApiError(response?.status ?? 0, response ? await detailOf(response) : '');
    }
    await pause(Number(response?.headers.get('Retry-After') ?? 0) * 1000 || 400 * 2 ** attempt);
  }
}

function headersFor(body) {
  try {
    return new Headers({ ...credentialHeaders(), ...(body ? { 'Content-Type': 'application/json' } : {}) });
  } catch {
    // Headers throws a TypeError for characters that a header cannot hold. Such a key is invalid.
    throw new ApiError(401, '');
  }
}

async function detailOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? '';
}

/**
 * Uploads a file with a presigned POST. Calls `onProgress` with the share that is sent, from 0 to 1.
 *
 * Uses XMLHttpRequest because fetch does not report the progress of an upload.
 */
export function uploadFile({ url, fields }, file, onProgress) {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  // S3 ignores fields that come after the file.
  form.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      if (request.status < 300) resolve();
      else reject(new Error(`S3 answered ${request.status}`));
    });
    request.addEventListener('error', () => reject(new Error('S3 did not answer')));
    request.open('POST', url);
    request.send(form);
  });
}

// Encodes as base64url without padding (RFC 4648, section 5), which RFC 7636 requires for PKCE.
function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Opens Cognito's sign-in page (OAuth 2.0 authorization code flow with PKCE, RFC 7636). */
export async function signInWithCognito() {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(48)));
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
  sessionStorage.setItem(VERIFIER, JSON.stringify({ verifier, state }));
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: config.cognito.client_id,
    redirect_uri: pageAddress(),
    scope: 'openid email',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  location.assign(`${config.cognito.domain}/oauth2/authorize?${query}`);
}

/** Exchanges the code from Cognito's sign-in page for a token, if the address has one. Throws ApiError. */
export async function finishSignIn() {
  const query = new URLSearchParams(location.search);
  if (config.auth !== 'cognito' || !(query.has('code') || query.has('error'))) return;
  const request = JSON.parse(sessionStorage.getItem(VERIFIER) ?? '{}');
  sessionStorage.removeItem(VERIFIER);
  history.replaceState(null, '', location.pathname);
  // A code with another state was not requested by this tab (cross-site request forgery, RFC 6749, section 10.12).
  if (query.has('error') || !request.state || query.get('state') !== request.state) {
    throw new ApiError(401, query.get('error') ?? '');
  }
  const response = await fetch(`${config.cognito.domain}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: config.cognito.client_id,
      redirect_uri: pageAddress(),
      code: query.get('code'),
      code_verifier: request.verifier,
    }),
  });
  if (!response.ok) throw new ApiError(response.status, '');
  // API Gateway's Cognito authorizer accepts the id token for a method without authorization scopes.
  sessionStorage.setItem(TOKEN, (await response.json()).id_token);
}
