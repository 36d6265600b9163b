// What people are sent: the issuer's outbox of development.

export class Outbox {
  constructor(issuer) {
    /** The ids of messages that were read. */
    this.read = new Set();
    this.url = new URL('/dev/outbox?format=json', issuer);
  }

  /** The newest unread message to `to` whose text `pattern` fits; gives what the pattern's group caught. It may take its time. */
  async received(to, pattern) {
    for (let patience = 100; patience > 0; patience -= 1) {
      const { messages } = await (await fetch(this.url)).json();
      for (const message of messages.filter((message) => message.to === to && !this.read.has(message.id))) {
        const caught = pattern.exec(message.text);
        if (!caught) continue;
        this.read.add(message.id);
        return caught[1];
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`no message to ${to} like ${pattern}`);
  }
}
