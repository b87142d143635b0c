// How programs send events: what to paste, by language. Any client that speaks Segment's protocol works; these are theirs.

export interface Snippet {
  id: string
  title: string
  /** What to install first. */
  install?: string
  code: string
}

/** Snippets for a source; a browser's key is public, a server's must stay secret, so each kind has its own. */
export function snippets(kind: 'browser' | 'server', key: string, host: string): Snippet[] {
  if (kind === 'browser')
    return [
      {
        id: 'browser',
        title: 'JavaScript',
        install: 'npm install @segment/analytics-next',
        code: `import { AnalyticsBrowser } from '@segment/analytics-next'

export const analytics = AnalyticsBrowser.load({
  writeKey: '${key}',
  cdnURL: '${host}',
})

analytics.page()
analytics.identify('user-1', { email: 'aya@example.com' })
analytics.track('Product Viewed', { product_id: 'p1' })`,
      },
    ]
  return [
    {
      id: 'curl',
      title: 'curl',
      code: `curl -u ${key}: -H 'Content-Type: application/json' \\
  -d '{"userId":"user-1","event":"Order Completed","properties":{"order_id":"o1","total":4200,"currency":"JPY"}}' \\
  ${host}/v1/track`,
    },
    {
      id: 'node',
      title: 'Node.js',
      install: 'npm install @segment/analytics-node',
      code: `import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: '${key}', host: '${host}' })
analytics.identify({ userId: 'user-1', traits: { email: 'aya@example.com' } })
analytics.track({ userId: 'user-1', event: 'Order Completed', properties: { order_id: 'o1', total: 4200, currency: 'JPY' } })`,
    },
    {
      id: 'python',
      title: 'Python',
      install: 'pip install segment-analytics-python',
      code: `import segment.analytics as analytics

analytics.write_key = '${key}'
analytics.host = '${host}'
analytics.identify('user-1', {'email': 'aya@example.com'})
analytics.track('user-1', 'Order Completed', {'order_id': 'o1', 'total': 4200, 'currency': 'JPY'})`,
    },
    {
      id: 'go',
      title: 'Go',
      install: 'go get github.com/segmentio/analytics-go/v3',
      code: `client, err := analytics.NewWithConfig("${key}", analytics.Config{Endpoint: "${host}"})
if err != nil {
	return err
}
defer client.Close()
client.Enqueue(analytics.Track{UserId: "user-1", Event: "Order Completed", Properties: analytics.NewProperties().
	Set("order_id", "o1").Set("total", 4200).Set("currency", "JPY")})`,
    },
  ]
}
