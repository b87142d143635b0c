import { useEffect, useState } from 'react'
import { call, describe, type Schemas } from '@/api'
import { Frame } from '@/content/Frame'
import { useT } from '@/i18n'
import { Alert, LoadingState, Note, Stack, Text } from '@/ui'

/** A template as a reader would get it, by the renderer that sends. */
export function Preview({ template }: { template: string }) {
  const t = useT()
  const [answer, setAnswer] = useState<{ of: string; mail?: Schemas['TemplatePreview']; error?: unknown }>({ of: '' })
  useEffect(() => {
    const stop = new AbortController()
    call('post', '/api/v1/templates/preview', { body: { template } }, { signal: stop.signal }).then(
      (mail) => setAnswer({ of: template, mail }),
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ of: template, error })
      },
    )
    return () => stop.abort()
  }, [template])
  if (answer.of !== template) return <LoadingState rows={4} />
  if (answer.error) return <Alert color="danger">{describe(answer.error)}</Alert>
  const m = answer.mail
  if (!m) return null
  return (
    <Stack gap={4}>
      <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
        {m.subject}
      </Text>
      <Note>{m.preheader}</Note>
      <Frame html={m.html} title={t('campaigns.preview')} width={720} />
    </Stack>
  )
}
