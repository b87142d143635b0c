import { type Args, type Guess, guess, type Method, type PathsOf, useSend } from '@/api'
import { toastRetry } from './toast'

/**
 * A change that is on the screen before the server has answered. If it is refused, the screen goes back to what it showed, and the reader is told why and
 * can try again. `shows` says what it will make of what is shown.
 *   const pause = useAtOnce('post', '/api/v1/journeys/{id}/pause', { refresh: ['/api/v1/journeys'], shows: (a) => [becomes(...)] }); pause({ path: { id } })
 */
export function useAtOnce<M extends Exclude<Method, 'get'>, P extends PathsOf<M>>(
  method: M,
  path: P,
  o: { refresh: string[]; shows: (args: Args<P, M>) => Guess[] },
) {
  const send = useSend(method, path, { refresh: o.refresh })
  const run = async (args: Args<P, M>): Promise<boolean> => {
    const back = guess(o.shows(args))
    try {
      await send.mutateAsync(args)
      return true
    } catch (err) {
      back()
      toastRetry(err, () => void run(args))
      return false
    }
  }
  return run
}
