// Stands for the modules that vite.config.ts leaves out.
export default undefined;
export const loader = undefined;
