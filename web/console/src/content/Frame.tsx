import { useCallback, useEffect, useRef, useState } from 'react'
import { Pending } from '@/ui'
import css from './content.module.css'

/** Makes a mail's dark rules hold or not, whatever scheme the reader's own screen is in. */
export const inScheme = (html: string, dark: boolean) =>
  html.replace(/\(\s*prefers-color-scheme\s*:\s*dark\s*\)/g, dark ? '(min-width:0)' : '(max-width:0)')

/** A mail as its readers get it, in a frame without origin, scripts of its own, or a way out. As high as the mail. */
export function Frame({ html, title, dark = false, width }: { html: string; title: string; dark?: boolean; width: number }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState<number>() // not known before the mail is drawn
  const draw = useCallback(() => frame.current?.contentWindow?.postMessage({ html: inScheme(html, dark) }, '*'), [html, dark])
  useEffect(draw, [draw])
  useEffect(() => {
    const hear = (e: MessageEvent<{ height?: number }>) => {
      if (e.source === frame.current?.contentWindow && typeof e.data?.height === 'number') setHeight(Math.min(e.data.height, 20_000))
    }
    window.addEventListener('message', hear)
    return () => window.removeEventListener('message', hear)
  }, [])
  return (
    <>
      <iframe
        ref={frame}
        title={title}
        src="/letter.html"
        sandbox="allow-scripts"
        className={css.frame}
        data-dark={dark || undefined}
        style={{ maxWidth: width, height: Math.max(height ?? 480, 200) }}
        onLoad={draw}
      />
      {height === undefined ? <Pending /> : null}
    </>
  )
}
