/**
 * `import 'barewire/globals'`, before anything that keeps the old ones, makes barewire's Request,
 * Response and Headers the global ones, with a `fetch` that takes them. The platform's objects
 * stay `instanceof` them. Code that says `new Response()` itself, frameworks included, gets the
 * light classes. The types of the globals stay the platform's, which ours extend.
 */
export {}
