// @ts-expect-error -- a CommonJS file without types
import { Scrollbars } from '../../node_modules/react-custom-scrollbars-2/lib/index.js';

export default Scrollbars;
