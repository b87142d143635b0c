import { Problem } from '@/api'
import { t } from '@/i18n'
import { confirm } from '@/ui'

/** Asks, if a save was refused since somebody was faster, whether to save over theirs. False also for every other reason. */
export async function askOver(err: unknown, code: string, text: string): Promise<boolean> {
  if (!(err instanceof Problem) || err.code !== code) return false
  const by = err.args?.[0]
  return confirm({
    title: by ? t('saving.conflict_by', { name: by }) : t('saving.conflict'),
    text,
    action: t('content.conflict_mine'),
    danger: true,
  })
}
