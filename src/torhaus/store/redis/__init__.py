"""What several gateways share: answers, generations and counters, in Redis or Valkey."""
