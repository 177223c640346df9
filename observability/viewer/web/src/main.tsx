import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { prepareGrafana } from './app/grafana';
import { followLinks } from './app/location';

prepareGrafana();
followLinks();
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(<App />);
}
