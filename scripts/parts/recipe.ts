/** What a part is, and what its recipe is given to work with. */

export interface Recipe {
  /** The exact version, as its makers write it. */
  readonly version: string;
  readonly about: string;
  /** Programs of this machine that the recipe calls. */
  readonly needs: readonly string[];
  /** What it exports: a name → the path inside the part's folder. */
  readonly paths: Readonly<Record<string, string>>;
  /** Everything else that decides what comes out. A change of it makes a new folder in the cache. */
  readonly inputs: readonly string[];
  /** Parts whose folders this one is built against. */
  readonly uses?: readonly string[];
  /** Minutes of building on two cores; absent when it takes seconds. */
  readonly minutes?: number;
  /** Only for `npm run test:deep` and the like: never brought by `npm test`. */
  readonly deep?: true;
  readonly bring: (site: Site) => Promise<void>;
}

export interface Site {
  /** An empty folder: what is here when the recipe ends becomes the part. */
  readonly making: string;
  /** Where the part will stand afterwards, for paths that are written into files. */
  readonly folder: string;
  /** A folder for what is not kept. */
  readonly scratch: string;
  /** Shared by all recipes, for downloads that several of them need. */
  readonly downloads: string;
  /** Folders of the parts in `uses`. */
  readonly used: Readonly<Record<string, string>>;
  /** Runs a program; its output goes to the part's log. Throws a sentence when it fails. */
  readonly run: (program: string, args: readonly string[], options?: RunOptions) => Promise<string>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}
