import { useLoaded } from '../app/load';
import { Frame } from '../app/Frame';
import { PageLink } from '../app/PageLink';
import { listDashboards } from '../dashboard/sources';

/** Lists the dashboards. */
export function HomePage() {
  const { value: files = [] } = useLoaded(listDashboards, []);
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
