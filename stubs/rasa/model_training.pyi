from typing import NamedTuple

class TrainingResult(NamedTuple):
    model: str | None
    code: int

def train(domain: str, config: str, training_files: list[str], output: str) -> TrainingResult: ...
