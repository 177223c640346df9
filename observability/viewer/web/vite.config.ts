import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const source = (file: string) => join(import.meta.dirname, 'src', file);
const modules = join(import.meta.dirname, 'node_modules');

// Where Grafana's components look for their fonts, and what they get.
const fonts = {
  'inter/Inter-Regular.woff2': '@fontsource/inter/files/inter-latin-400-normal.woff2',
  'inter/Inter-Medium.woff2': '@fontsource/inter/files/inter-latin-500-normal.woff2',
  'roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2':
    '@fontsource/roboto-mono/files/roboto-mono-latin-400-normal.woff2',
};

// Grafana's icons, and those of its components' icons that its package lacks.
const icons = [join(modules, '@grafana/ui/dist/public/img/icons'), source('icons')];

// Icons and fonts are files that Grafana's components fetch when they need them.
function copyPublicFiles(): Plugin {
  return {
    name: 'copy-public-files',
    generateBundle() {
      const copy = (path: string, to: string) =>
        this.emitFile({ type: 'asset', fileName: `public/${to}`, source: readFileSync(path) });
      for (const folder of icons) {
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
          if (entry.isFile()) {
            const path = join(entry.parentPath, entry.name);
            copy(path, `build/img/icons/${relative(folder, path)}`);
          }
        }
      }
      for (const [to, from] of Object.entries(fonts)) {
        copy(join(modules, from), `fonts/${to}`);
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), copyPublicFiles()],
  resolve: {
    alias: [
      // Megabytes of editor and maps, which nothing here opens.
      { find: /^monaco-editor.*|^@monaco-editor\/react$/, replacement: source('shims/nothing.ts') },
      { find: /^ol$|^ol\/.*/, replacement: source('shims/nothing.ts') },
      // A CommonJS module whose default export bundlers see one level too deep.
      { find: /^react-custom-scrollbars-2$/, replacement: source('shims/scrollbars.ts') },
    ],
  },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
  },
});
