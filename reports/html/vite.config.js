import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

// One page with everything inside: it is opened from disk, offline.
export default defineConfig({
  plugins: [viteSingleFile()],
  build: { target: "es2020", chunkSizeWarningLimit: 2000, reportCompressedSize: false },
});
