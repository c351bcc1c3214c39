"""PyTorch DistributedDataParallel over gloo, one thread a rank; --batch is the global batch."""

import socket

import torch
import torch.distributed as dist
from common import arguments, batches, measure_together, mnist, report
from lenet_torch import lenet5, sgd, trainer
from torch.nn.parallel import DistributedDataParallel


def rank_main(rank, args, port):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=args.threads
    )
    images, labels = mnist(args.data)
    share = args.batch // args.threads
    own = slice(rank, None, args.threads)
    images, labels = (torch.from_numpy(x) for x in batches(images[own], labels[own], share))
    images = images.unsqueeze(2)
    torch.manual_seed(1)
    model = DistributedDataParallel(lenet5())
    train = trainer(model, sgd(model))

    def agree(value):
        tensor = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(tensor, 0)
        return tensor.item()

    def step(index):
        train(images[index % len(images)], labels[index % len(labels)])

    measured = measure_together(step, args.seconds, agree)
    if rank == 0:
        report(*measured, args.batch, f"PyTorch {torch.__version__}")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    args = arguments()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(rank_main, (args, port), nprocs=args.threads)
