import { fetchJSON, useLoaded } from '../app/load';
import { Frame } from '../app/Frame';
import { PageLink } from '../app/PageLink';

interface DashboardFile {
  file: string;
  uid?: string;
  title?: string;
  description?: string;
  error?: string;
}

/** Lists the dashboards. */
export function HomePage() {
  const { value: files = [] } = useLoaded(() => fetchJSON<DashboardFile[]>('/api/dashboards'), []);
  return (
    <Frame title="Dashboards">
      <ul>
        {files.map((file) => (
          <li key={file.file}>
            <PageLink href={`/d/${file.uid}`}>{file.title}</PageLink>
          </li>
        ))}
      </ul>
    </Frame>
  );
}
