// Loads the modules one after another, each after those that it imports: asked for all at once, each would start an
// execution environment of its own. Browsers keep them for good, so this happens once for each version.
try {
  for (const name of ['dom', 'blurhash', 'layout', 'texts.en', 'texts.ko', 'texts', 'api', 'listing', 'picture', 'grid', 'uploads', 'viewer', 'main']) {
    await import(`./${name}.js`);
  }
} catch (error) {
  // Nothing of the page may be counted on, its texts neither: they stand there in both languages.
  const broken = document.getElementById('broken');
  broken.hidden = false;
  broken.querySelectorAll('button').forEach((button) => button.addEventListener('click', () => location.reload()));
  throw error;
}
