import { standardTransformers, standardTransformersRegistry } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';

declare global {
  interface Window {
    __grafana_public_path__?: string; // where Grafana's components find icons and fonts
  }
}

/** What Grafana does for its components when it starts, as far as it concerns those used here. */
export function prepareGrafana(): void {
  window.__grafana_public_path__ = '/public/';
  void initPluginTranslations('viewer');
  standardTransformersRegistry.setInit(() =>
    // Two of them are the same.
    [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()].map((transformation) => ({
      id: transformation.id,
      name: transformation.name,
      description: transformation.description ?? '',
      transformation: async () => transformation,
      editor: () => null,
      imageDark: '',
      imageLight: '',
    }))
  );
}
