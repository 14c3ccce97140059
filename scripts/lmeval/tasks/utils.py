import numpy


def process_mc2(doc, results):
    logprobs = numpy.array([logprob for logprob, _ in results])
    p = numpy.exp(logprobs - logprobs.max())
    return {"acc": float(p[: doc["right"]].sum() / p.sum())}
