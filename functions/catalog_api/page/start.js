// Loads the modules one after another, each after those that it imports: asked for all at once, each would start an
// execution environment of its own. Browsers keep them for good, so this happens once for each version.
for (const name of ['dom', 'blurhash', 'layout', 'texts.en', 'texts.ko', 'texts', 'api', 'listing', 'picture', 'grid', 'uploads', 'viewer', 'main']) {
  await import(`./${name}.js`);
}
