import { useT } from '@/i18n'
import { printed, useActiveShortcuts } from '@/lib/keys'
import { Kbd, Modal } from '@/ui'
import css from './ShortcutSheet.module.css'

/** The keys that work on the present page. */
export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const t = useT()
  const all = useActiveShortcuts()
  return (
    <Modal title={t('shortcut.help')} onClose={onClose}>
      <ul className={css.list}>
        {all.map((s) => (
          <li key={s.keys} className={css.row}>
            <span>{s.label}</span>
            <span className={css.keys}>
              {[s.keys, ...(s.also ?? [])].map((keys) => (
                <span key={keys} className={css.combination}>
                  {printed(keys).map((k, i) =>
                    k === t('shortcut.then') ? <span key={`${k}${i}`}>{k}</span> : <Kbd key={`${k}${i}`}>{k}</Kbd>,
                  )}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Modal>
  )
}
