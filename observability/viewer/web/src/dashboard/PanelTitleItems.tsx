import { Dropdown, Icon, Menu, PanelChrome } from '@grafana/ui';
import { openPage } from '../app/location';
import { hrefOf } from '../app/links';
import { useDashboard } from './context';
import { interpolate, type Values } from './interpolate';
import type { Panel, PanelLink } from './model';

/** The links of a panel: one at once, several in a menu. */
export function PanelTitleItems({ panel }: { panel: Panel }) {
  const { values } = useDashboard();
  const [first, ...more] = (panel.links ?? []).map((link) => resolve(link, values));
  if (!first) {
    return null;
  }
  if (more.length === 0) {
    return (
      <PanelChrome.TitleItem href={first.url} title={first.title} {...(first.targetBlank && { target: '_blank' })}>
        <Icon name="external-link-alt" />
      </PanelChrome.TitleItem>
    );
  }
  const menu = (
    <Menu>
      {[first, ...more].map(({ title, url }) => (
        <Menu.Item key={title} label={title} icon="external-link-alt" onClick={() => openPage(url)} />
      ))}
    </Menu>
  );
  return (
    <Dropdown overlay={menu}>
      <PanelChrome.TitleItem title="Links">
        <Icon name="link" />
      </PanelChrome.TitleItem>
    </Dropdown>
  );
}

function resolve(link: PanelLink, values: Values): PanelLink {
  return {
    ...link,
    title: interpolate(link.title, values),
    url: hrefOf(interpolate(link.url, values, 'percentencode')),
  };
}
