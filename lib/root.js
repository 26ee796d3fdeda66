/** The folder of the package: as far from the modules of `lib/` as from what `dist/` has of them. */
export const ROOT = new URL('../', import.meta.url)
