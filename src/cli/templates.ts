/** The folders that `mayfly init` makes: the examples, with what a folder of its own needs besides. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { MayflyError } from '../model/errors.ts';
import { PACKAGE_ROOT } from '../model/package-root.ts';

export const TEMPLATES = ['hello', 'flash-sale', 'wagi'] as const;

/** A clone has the examples themselves, the package a copy (scripts/build.ts). */
const TEMPLATE_FOLDER = join(PACKAGE_ROOT, import.meta.url.endsWith('.ts') ? 'examples' : 'dist/templates');

/** Secrets and state stay out of version control, builds too. */
const GITIGNORE = '.mayfly/\n.env\nnode_modules/\n';

export interface MadeFolder {
  readonly folder: string;
  readonly files: readonly string[];
}

/** Copies a template. Throws MayflyError, exit code 2, and writes nothing when a file of it is there already. */
export function makeFolder(folder: string, template: string): MadeFolder {
  const target = resolve(folder);
  const files = contentsOf(template, target);
  const taken = Object.keys(files).find((name) => existsSync(join(target, name)));
  if (taken !== undefined) {
    throw new MayflyError('Cannot make the folder: a file would be overwritten', {
      where: join(target, taken),
      fix: 'Choose another folder.',
      exitCode: 2,
      code: 'would-overwrite',
    });
  }
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(target, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { flag: 'wx' });
    }
  } catch (cause) {
    throw new MayflyError(`Cannot make the folder: ${(cause as Error).message}`, {
      where: target,
      code: 'unwritable',
      cause,
    });
  }
  return { folder: target, files: Object.keys(files) };
}

/** Path within the folder → content. */
function contentsOf(template: string, target: string): Record<string, string | Uint8Array> {
  const source = join(TEMPLATE_FOLDER, template);
  // Hidden entries are state of somebody who tried the example.
  const names = globSync('**/*', { cwd: source, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !name.startsWith('.'))
    .toSorted();
  const copied = names.map((name) => [name, readFileSync(join(source, name))] as const);
  return {
    ...Object.fromEntries(copied),
    ...(names.includes('tsconfig.json') && { 'tsconfig.json': tsconfig(target) }),
    '.gitignore': GITIGNORE,
    'README.md': readme(template),
  };
}

/** For editors: the SDK's types, by the name of the package where it is installed above the folder, else where it is now. */
function tsconfig(target: string): string {
  const inTree = ancestors(target).some((folder) => existsSync(join(folder, 'node_modules', 'mayfly')));
  const here = relative(target, join(PACKAGE_ROOT, 'sdk')).split(sep).join('/');
  const sdk = inTree ? 'mayfly/sdk' : here.startsWith('.') ? here : `./${here}`;
  const config = { extends: `${sdk}/assemblyscript/tsconfig.json`, include: ['./**/*.ts'] };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function readme(template: string): string {
  return `# A Mayfly function

Made by \`mayfly init --template ${template}\`.

\`\`\`
npx mayfly dev      # serve, build again on every change, show each request
npx mayfly serve    # serve; prints addresses and requests to try
npx mayfly check    # what is wrong with mayfly.yaml
\`\`\`

\`mayfly.yaml\` is the whole configuration. State, builds and generated secrets are in \`.mayfly/\`, which is not for
version control.
`;
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
