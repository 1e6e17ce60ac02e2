"""What people say of an answer, sent to the service: corrections, and audits from the queue."""
