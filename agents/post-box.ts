/** Messages that wait for somebody in this process, the oldest first. A full one refuses, so that nothing grows unseen. */
export class PostBox<Message> {
  private readonly waiting: Message[] = [];
  private first = 0;

  /** @param capacity - messages that may wait */
  constructor(readonly capacity: number) {}

  /** Messages that wait. */
  get size(): number {
    return this.waiting.length - this.first;
  }

  /** Puts a message in. @returns false when the box is full and the message was not taken */
  post(message: Message): boolean {
    if (this.size >= this.capacity) return false;
    this.waiting.push(message);
    return true;
  }

  /** The oldest message, taken out; undefined when there is none. */
  take(): Message | undefined {
    if (this.first >= this.waiting.length) return undefined;
    const message = this.waiting[this.first++];
    if (this.first === this.waiting.length) {
      this.waiting.length = 0;
      this.first = 0;
    }
    return message;
  }
}
